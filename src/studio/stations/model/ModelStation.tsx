/** The Model station. */
export function ModelStation() {
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Model</h1>
      </div>
    </main>
  );
}
