/** The Data station. */
export function DataStation() {
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Data</h1>
      </div>
    </main>
  );
}
