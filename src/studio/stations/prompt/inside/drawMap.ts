import type { PromptTrail, VocabularyMap } from '../../../../worker/protocol.ts';
import { tokenText } from '../../../components/tokens.ts';
import type { View } from './mapView.ts';

interface What {
  map: VocabularyMap;
  trail: PromptTrail;
  at: number;
  tile: number | undefined;
  hovered: number | undefined;
}

/** Words as cool points, trails as warm lines from where they started to where they are. */
export function drawMap(
  canvas: HTMLCanvasElement,
  { width, height, unit }: { width: number; height: number; unit: number },
  view: View,
  { map, trail, at, tile, hovered }: What,
): void {
  const pixel = window.devicePixelRatio;
  canvas.width = Math.round(width * pixel);
  canvas.height = Math.round(height * pixel);
  const ctx = canvas.getContext('2d');
  if (!ctx) return;
  const style = getComputedStyle(canvas);
  const color = (name: string) => style.getPropertyValue(name);
  ctx.scale(pixel, pixel);
  ctx.clearRect(0, 0, width, height);

  const dot = 2 * unit;
  ctx.fillStyle = color('--ice-line');
  for (let i = 0; i < map.words.length; i++) {
    const [x, y] = view.place(map.xy[2 * i]!, map.xy[2 * i + 1]!);
    if (x < -dot || y < -dot || x > width + dot || y > height + dot) continue;
    ctx.fillRect(x - dot / 2, y - dot / 2, dot, dot);
  }

  const P = trail.length;
  const place = (step: number, p: number) =>
    view.place(trail.xy[(step * P + p) * 2]!, trail.xy[(step * P + p) * 2 + 1]!);
  const ring = (x: number, y: number, radius: number) => {
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
  };
  ctx.lineJoin = 'round';
  const order = Array.from({ length: P }, (_, p) => p).sort(
    (a, b) => Number(a === tile) - Number(b === tile),
  );
  for (const p of order) {
    const faint = tile !== undefined && tile !== p;
    ctx.globalAlpha = faint ? 0.25 : 1;
    ctx.strokeStyle = color('--warm-mid');
    ctx.lineWidth = (p === tile ? 2 : 1.1) * unit;
    ctx.beginPath();
    for (let step = 0; step <= at; step++) ctx.lineTo(...place(step, p));
    ctx.stroke();
    ctx.lineWidth = 1.2 * unit;
    ring(...place(0, p), 2.6 * unit);
    ctx.fillStyle = color('--panel');
    ctx.fill();
    ctx.stroke();
    ring(...place(at, p), (p === tile ? 4.5 : 3.2) * unit);
    ctx.fillStyle = color('--warm');
    ctx.fill();
  }
  ctx.globalAlpha = 1;

  const write = (text: string, x: number, y: number, ink: string) => {
    ctx.font = `${12 * unit}px ${color('--ui')}`;
    ctx.lineWidth = 3 * unit;
    ctx.strokeStyle = color('--panel');
    ctx.fillStyle = ink;
    const left = Math.max(2, Math.min(width - ctx.measureText(text).width - 2, x));
    const top = Math.max(12 * unit, Math.min(height - 4, y));
    ctx.strokeText(text, left, top);
    ctx.fillText(text, left, top);
  };
  for (const { word, x, y } of map.labels) {
    const [px, py] = view.place(x, y);
    ctx.strokeStyle = color('--ice-ink');
    ctx.lineWidth = 1.6 * unit;
    ctx.strokeRect(px - 3.5 * unit, py - 3.5 * unit, 7 * unit, 7 * unit);
    write(word, px + 7 * unit, py + 4 * unit, color('--ice-ink'));
  }
  if (tile !== undefined) {
    const [x, y] = place(at, tile);
    write(String(tile + 1), x + 7 * unit, y - 5 * unit, color('--warm-ink'));
  }
  if (hovered !== undefined) {
    const [x, y] = view.place(map.xy[2 * hovered]!, map.xy[2 * hovered + 1]!);
    ctx.fillStyle = color('--ink');
    ring(x, y, 3 * unit);
    ctx.fill();
    write(tokenText(map.words[hovered]!), x + 7 * unit, y - 6 * unit, color('--ink'));
  }
}
