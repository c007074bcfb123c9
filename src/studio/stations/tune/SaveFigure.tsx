import { Menu } from '../../components/index.ts';
import { saveFile } from '../../download.ts';
import { useStudio } from '../../studio.tsx';
import { type Figure, figurePng, figureRows, figureSvg } from './figure.ts';

/** The chart's numbers as CSV, its picture as SVG or PNG. */
export function SaveFigure({ figure }: { figure: Figure }) {
  const { notices } = useStudio();
  const name = figure.title.toLowerCase().replace(/\s+/g, '-');
  const isDisabled = figure.lines.length === 0;
  const text = (words: string) => new TextEncoder().encode(words);
  const save = async (ending: string, type: string, make: () => Promise<Uint8Array<ArrayBuffer>>) => {
    try {
      saveFile({ name: `${name}.${ending}`, type, bytes: await make() });
    } catch (error) {
      notices.getState().fail(error);
    }
  };
  return (
    <Menu
      label={`Save the chart ${figure.title}`}
      actions={[
        {
          id: 'csv',
          label: 'Numbers as CSV',
          isDisabled,
          onAction: () =>
            void save('csv', 'text/csv', async () => {
              const { unparse } = (await import('papaparse')).default;
              return text(`${unparse(figureRows(figure))}\r\n`);
            }),
        },
        {
          id: 'svg',
          label: 'Picture as SVG',
          isDisabled,
          onAction: () => void save('svg', 'image/svg+xml', async () => text(figureSvg(figure))),
        },
        {
          id: 'png',
          label: 'Picture as PNG',
          isDisabled,
          onAction: () => void save('png', 'image/png', () => figurePng(figure)),
        },
      ]}
    />
  );
}
