/** The Results station. */
export function ResultsStation() {
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Results</h1>
      </div>
    </main>
  );
}
