/** The Prompt station. */
export function PromptStation() {
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>Prompt</h1>
      </div>
    </main>
  );
}
