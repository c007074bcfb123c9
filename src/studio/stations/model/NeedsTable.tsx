import type { ModelNeeds, Precision, PrecisionNeed } from '../../../worker/protocol.ts';
import { Button, type Column, Table } from '../../components/index.ts';
import { formatBytes, formatCount } from '../../format.ts';
import { useSession } from '../../studio.tsx';

const NAMES: Record<Precision, string> = { stored: 'As stored', q8_0: '8 bits', q4_0: '4 bits' };

/** What a model needs here at each precision, and which is recommended and why. */
export function NeedsTable({
  needs,
  chosen,
  onChoose,
}: {
  needs: ModelNeeds;
  chosen: Precision | undefined;
  onChoose: (precision: Precision) => void;
}) {
  const limit = useSession((s) => s.device?.limits.bindingBytes);
  const software = useSession((s) => s.device?.software);
  const columns: Column<PrecisionNeed>[] = [
    {
      id: 'precision',
      title: 'Precision',
      cell: ({ precision }) => (
        <>
          {NAMES[precision]}
          {precision === needs.recommended && needs.precisions.length > 1 && (
            <span className="muted"> (recommended)</span>
          )}
        </>
      ),
    },
    {
      id: 'weights',
      title: 'Weights',
      align: 'end',
      cell: ({ weightBytes }) => formatBytes(weightBytes),
    },
    {
      id: 'step',
      title: 'and a step',
      align: 'end',
      cell: ({ activationBytes }) => formatBytes(activationBytes),
    },
    {
      id: 'batch',
      title: 'Largest batch',
      align: 'end',
      cell: ({ fits, largestBatch }) => (!fits || largestBatch === 0 ? 'no room' : formatCount(largestBatch)),
    },
  ];
  if (needs.precisions.length > 1)
    columns.push({
      id: 'choose',
      title: <span className="sr-only">Choose</span>,
      cell: ({ precision }) => (
        <Button
          aria-label={`Use ${NAMES[precision]}`}
          isDisabled={precision === chosen}
          onPress={() => onChoose(precision)}
        >
          {precision === chosen ? 'Chosen' : 'Choose'}
        </Button>
      ),
    });
  return (
    <div className="needs">
      <Table
        caption="What it needs on this device"
        columns={columns}
        rows={needs.precisions}
        rowId={({ precision }) => precision}
      />
      <p className="need">
        {whyInWords(needs, limit)}{' '}
        {`Counted with ${needs.task.promptLength} virtual tokens and texts of ${needs.task.tokens} tokens.`}
        {software && ' This adapter is software: the model will be right, but slow.'}
      </p>
    </div>
  );
}

function whyInWords(needs: ModelNeeds, limit: number | undefined): string {
  const best = needs.precisions.find(({ precision }) => precision === needs.recommended)!;
  const together = best.weightBytes + best.activationBytes;
  if (!best.fits)
    return `Its largest matrix takes ${formatBytes(best.largestBytes)}, and this device allows ${formatBytes(limit ?? 0)} in one buffer: it will not load here. Choose a smaller model.`;
  if (needs.why === 'least')
    return `${formatBytes(together)} are more than the ${formatBytes(needs.assumedBytes)} that are taken for a usual device: it loads only where there is more. A browser does not tell how much there is.`;
  const alone = needs.precisions.length === 1;
  return `${alone ? 'It should have room' : `${NAMES[needs.recommended]} is recommended`} on this device: ${formatBytes(together)} in all, and ${formatBytes(needs.assumedBytes)} are taken for a usual device, since a browser does not tell how much there is.`;
}
