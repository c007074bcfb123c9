import { useEffect, useRef, useState } from 'react';
import type { PromptRef, SecondOpinionReport } from '../../../worker/protocol.ts';
import { Button, Table } from '../../components/index.ts';
import { Section } from '../../components/sections.tsx';
import { formatCount, formatSeconds } from '../../format.ts';
import { refKey } from '../../stores/results.ts';
import { useSession, useStudio } from '../../studio.tsx';
import { formatShare, opinionLines, verdict } from './opinion.ts';

/** One press: our shaders and ONNX Runtime compute the same rows, and the largest differences are shown. */
export function SecondOpinion({ prompt, isDisabled }: { prompt: PromptRef; isDisabled: boolean }) {
  const { engine, notices } = useStudio();
  const reason = useSession((s) => s.device?.choice.reason);
  const [asking, setAsking] = useState(false);
  const [report, setReport] = useState<{ of: string; report: SecondOpinionReport }>();
  const shown = useRef(true);
  useEffect(() => {
    shown.current = true;
    return () => {
      shown.current = false;
    };
  }, []);
  const of = refKey(prompt);
  const current = report?.of === of ? report.report : undefined;

  const ask = async () => {
    setAsking(true);
    try {
      const answer = await engine.secondOpinion(prompt);
      if (!shown.current) return;
      setReport({ of, report: answer });
      notices.getState().announce(verdict(answer).sentence);
    } catch (error) {
      notices.getState().fail(error);
    } finally {
      if (shown.current) setAsking(false);
    }
  };

  return (
    <Section
      title="Second opinion"
      note="The shaders of this studio and ONNX Runtime are two programs that must compute the same. Both read eight of your training rows with this prompt; what they say of every word, the loss, and the slope that training follows are compared."
      aside={
        <Button isDisabled={isDisabled || asking} onPress={() => void ask()}>
          {asking ? 'Comparing' : current ? 'Compare again' : 'Compare with ONNX Runtime'}
        </Button>
      }
    >
      {asking && (
        <p className="muted" role="status">
          Both engines are reading your rows. Shaders in software take half a minute.
        </p>
      )}
      {!current && !asking && reason === 'no-webgpu' && (
        <p className="muted">It needs WebGPU, which this browser does not offer.</p>
      )}
      {current && <Opinion report={current} />}
    </Section>
  );
}

function Opinion({ report }: { report: SecondOpinionReport }) {
  const { agree, sentence } = verdict(report);
  return (
    <div className="opinion">
      <p>
        <strong>{agree ? 'They agree.' : 'They differ.'}</strong> {sentence}
      </p>
      <Table
        caption="Largest differences between the shaders and ONNX Runtime"
        columns={[
          { id: 'what', title: 'Compared', cell: ({ what }) => what },
          { id: 'count', title: 'Values', align: 'end', cell: ({ count }) => formatCount(count) },
          {
            id: 'largest',
            title: 'Largest difference',
            align: 'end',
            cell: ({ largest }) => largest.toExponential(1),
          },
          {
            id: 'magnitude',
            title: 'Largest value',
            align: 'end',
            cell: ({ magnitude }) => Number(magnitude.toPrecision(4)),
          },
          {
            id: 'relative',
            title: 'Difference of the largest value',
            align: 'end',
            cell: ({ relative }) => formatShare(relative),
          },
        ]}
        rows={opinionLines(report)}
        rowId={({ what }) => what}
      />
      <p className="small muted">
        {report.rows} rows on {report.adapter || 'the graphics adapter'}; it took{' '}
        {formatSeconds(report.seconds)}.
      </p>
    </div>
  );
}
