/** The Tune station: what goes in, what happens, what comes out, and the runs below. */
export function TuneStation() {
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Tune</h1>
      </div>
    </main>
  );
}
