/** From a step's profile to what the inspector draws: groups by cost, parts, the timeline's places, the roofline. */
import type { ProfiledDispatch, StepPart, StepProfile } from '../../worker/protocol.ts';

const PARTS: readonly StepPart[] = ['forward', 'recompute', 'backward', 'update'];
export const PART_NAMES: Record<StepPart, string> = {
  forward: 'forward',
  recompute: 'forward again',
  backward: 'backward',
  update: 'update',
};

export type Grouping = 'kernel' | 'layer' | 'dispatch';

export interface Group {
  id: string;
  name: string;
  part: StepPart;
  /** Indices into the profile's dispatches, in the order in which they ran. */
  members: number[];
  us: number;
  /** Of the time in which the device was busy. */
  share: number;
  flops: number;
  bytes: number;
  /** How much of the nearer roof was reached, weighted by time; undefined where no time could be measured. */
  roofShare?: number;
}

function layerName({ layer }: ProfiledDispatch): string {
  return layer ? `${layer.stack} ${layer.index + 1}` : 'no layer';
}

/** Dispatches that belong together, the most expensive group first. */
export function groupDispatches({ dispatches, busyUs }: StepProfile, by: Grouping): Group[] {
  const groups = new Map<string, Group>();
  dispatches.forEach((dispatch, index) => {
    const name = by === 'layer' ? layerName(dispatch) : dispatch.kernel;
    const id = by === 'dispatch' ? String(index) : `${dispatch.part} ${name}`;
    const group = groups.get(id) ?? {
      id,
      name: by === 'dispatch' ? `${name}, ${dispatch.node}` : name,
      part: dispatch.part,
      members: [],
      us: 0,
      share: 0,
      flops: 0,
      bytes: 0,
    };
    group.members.push(index);
    group.us += dispatch.durationUs;
    group.flops += dispatch.flops;
    group.bytes += dispatch.bytes;
    groups.set(id, group);
  });
  return [...groups.values()]
    .map((group) => ({
      ...group,
      share: busyUs > 0 ? group.us / busyUs : 0,
      roofShare: meanRoof(group.members.map((index) => dispatches[index]!)),
    }))
    .sort((a, b) => b.us - a.us);
}

/** Time that the roofs would have taken, over the time that was taken. */
function meanRoof(dispatches: readonly ProfiledDispatch[]): number | undefined {
  const timed = dispatches.filter(({ roofShare, durationUs }) => roofShare !== undefined && durationUs > 0);
  const us = timed.reduce((sum, { durationUs }) => sum + durationUs, 0);
  if (us === 0) return undefined;
  return timed.reduce((sum, { roofShare, durationUs }) => sum + roofShare! * durationUs, 0) / us;
}

/** Time and number of dispatches of each part that occurs, in the order of a step. */
export function partSums({ dispatches, busyUs }: StepProfile) {
  return PARTS.map((part) => {
    const own = dispatches.filter((dispatch) => dispatch.part === part);
    const us = own.reduce((sum, { durationUs }) => sum + durationUs, 0);
    return { part, count: own.length, us, share: busyUs > 0 ? us / busyUs : 0 };
  }).filter(({ count }) => count > 0);
}

export interface Bar {
  index: number;
  /** 0 to 1, of the whole step. */
  left: number;
  width: number;
  /** Lane of the part it belongs to. */
  lane: number;
}

/** Where each dispatch stands on the timeline: lanes are the parts that occur. */
export function timeline(profile: StepProfile): { lanes: StepPart[]; bars: Bar[] } {
  const lanes = partSums(profile).map(({ part }) => part);
  const span = Math.max(profile.spanUs, 1e-9);
  return {
    lanes,
    bars: profile.dispatches.map(({ part, startUs, durationUs }, index) => ({
      index,
      left: startUs / span,
      width: durationUs / span,
      lane: lanes.indexOf(part),
    })),
  };
}

/** Operations a second and bytes a second of some work; undefined where it took no measurable time. */
export function rates({ us, flops, bytes }: { us: number; flops: number; bytes: number }) {
  if (us <= 0) return undefined;
  return { gflops: flops / us / 1000, gbytesPerSecond: bytes / us / 1000 };
}

/** The roofline at an intensity (operations a byte), in GFLOP/s (Williams, Waterman, Patterson 2009). */
export function roofAt(intensity: number, { gflops, gbytesPerSecond }: StepProfile['ceiling']): number {
  return Math.min(gflops, intensity * gbytesPerSecond);
}

/** Microseconds as a person reads them: "84 µs", "1.2 ms", "0.31 s". */
export function formatMicroseconds(us: number): string {
  if (us < 1) return us === 0 ? '0 µs' : `${us.toPrecision(1)} µs`;
  if (us < 999.5) return `${us.toFixed(0)} µs`;
  if (us < 999_500) return `${(us / 1000).toPrecision(us < 99_500 ? 2 : 3)} ms`;
  return `${(us / 1e6).toPrecision(2)} s`;
}

/** Operations: "1.2 M", "340 M", "2.1 G". */
export function formatOperations(flops: number): string {
  const units = ['', ' k', ' M', ' G', ' T'];
  let value = flops;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(unit === 0 || value >= 9.95 ? 0 : 1)}${units[unit]}`;
}
