import type { Tensor } from '../kernel.ts';
import type { OnnxEmitter, OnnxValue } from '../onnx.ts';
import type { HeadGroups } from './head_norm.ts';

interface Group {
  from: number;
  count: number;
  width: number;
}

const groupsOf = ({ first, firstWidth, second, secondWidth }: HeadGroups): Group[] =>
  [
    { from: 0, count: first, width: firstWidth },
    { from: first * firstWidth, count: second, width: secondWidth },
  ].filter(({ count, width }) => count * width > 0);

const columns = (e: OnnxEmitter, x: OnnxValue, from: number, end: number) =>
  e.node('Slice', [x, e.i64([from]), e.i64([end]), e.i64([1])]);

/** Groups of equal width of x as [M, count, width]. */
const asGroups = (e: OnnxEmitter, x: OnnxValue, { from, count, width }: Group) =>
  e.node('Reshape', [columns(e, x, from, from + count * width), e.i64([-1, count, width])]);

const flat = (e: OnnxEmitter, x: OnnxValue, { count, width }: Group) =>
  e.node('Reshape', [x, e.i64([-1, count * width])]);

const mean = (e: OnnxEmitter, x: OnnxValue) => e.node('ReduceMean', [x, e.i64([-1])], { keepdims: 1 });

/** x r and r of one group, shared by both directions. */
function normalised(e: OnnxEmitter, x: Tensor, group: Group, eps: number): { r: OnnxValue; xr: OnnxValue } {
  return e.once(`head norm of ${x.id} from ${group.from} ${eps}`, () => {
    const v = asGroups(e, e.value(x), group);
    const root = e.node('Sqrt', [e.node('Add', [mean(e, e.node('Mul', [v, v])), e.f32(eps)])]);
    const r = e.node('Reciprocal', [root]);
    return { r, xr: e.node('Mul', [v, r]) };
  });
}

/** The groups' columns one after another, and behind them those past the groups as they are in `x`. */
function join(e: OnnxEmitter, x: OnnxValue, cols: number, groups: readonly Group[], parts: OnnxValue[]) {
  const covered = groups.reduce((sum, { count, width }) => sum + count * width, 0);
  const all = covered < cols ? [...parts, columns(e, x, covered, cols)] : parts;
  return all.length === 1 ? all[0]! : e.node('Concat', all, { axis: 1 });
}

export function headNormOnnx(
  e: OnnxEmitter,
  x: Tensor,
  weight: Tensor,
  y: Tensor,
  settings: HeadGroups,
  eps: number,
): void {
  const groups = groupsOf(settings);
  const parts = groups.map((group) =>
    e.node('Mul', [
      flat(e, normalised(e, x, group, eps).xr, group),
      columns(e, e.value(weight), group.from, group.from + group.count * group.width),
    ]),
  );
  e.set(y, join(e, e.value(x), x.cols, groups, parts));
}

/** dx = r (g - x r mean(g x r)), g = dy weight, group by group. */
export function headNormBackwardOnnx(
  e: OnnxEmitter,
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  dx: Tensor,
  settings: HeadGroups,
  eps: number,
): void {
  const groups = groupsOf(settings);
  const parts = groups.map((group) => {
    const { r, xr } = normalised(e, x, group, eps);
    const weights = asGroups(e, e.value(weight), group);
    const g = e.node('Mul', [asGroups(e, e.value(dy), group), weights]);
    const along = e.node('Mul', [xr, mean(e, e.node('Mul', [g, xr]))]);
    return flat(e, e.node('Mul', [e.node('Sub', [g, along]), r]), group);
  });
  e.set(dx, join(e, e.value(dy), dy.cols, groups, parts));
}
