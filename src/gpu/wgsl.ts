/**
 * The small template language of our `.wgsl` files. WGSL has neither generics nor unrolling, software adapters and some
 * drivers keep dynamically indexed arrays in memory instead of registers, and Safari mistreats override constants in
 * array sizes: so shapes known when a program is built are written into the text.
 *
 *     //# for i in ROWS          repeats the lines up to its `//# end`, i = 0 .. ROWS-1
 *     //# if BIAS                keeps the lines up to `//# else` or `//# end` when the expression is true (not 0)
 *     $i  $ROWS  $(4 * i + 1)    the value of a name or of an integer expression
 *
 * Expressions know integers, names, + - * / % ( ) and comparisons; division truncates.
 */
export type WgslConstants = Record<string, number | boolean | string>;

interface Line {
  text: string;
  number: number;
}

const expanded = new Map<string, string>();
/** A program's layers ask for the same text again and again; more than all kernels of a model's programs are never kept. */
const MOST_KEPT = 256;

/** Expands a template. @throws Error naming the line of a directive that does not parse. */
export function expandWgsl(template: string, constants: WgslConstants): string {
  const key = `${JSON.stringify(constants)}${template}`;
  let text = expanded.get(key);
  if (text === undefined) {
    text = expand(template, constants);
    if (expanded.size >= MOST_KEPT) expanded.clear();
    expanded.set(key, text);
  }
  return text;
}

function expand(template: string, constants: WgslConstants): string {
  const lines = template.split('\n').map((text, index) => ({ text, number: index + 1 }));
  const out: string[] = [];
  expandBlock(lines, 0, lines.length, { ...constants }, out);
  return out.join('\n');
}

function expandBlock(lines: Line[], from: number, to: number, scope: WgslConstants, out: string[]): void {
  for (let at = from; at < to; at++) {
    const line = lines[at];
    const directive = /^\s*\/\/#\s*(\w+)\s*(.*)$/.exec(line.text);
    if (!directive) {
      out.push(substitute(line, scope));
      continue;
    }
    const [, word, rest] = directive;
    const { otherwise, end } = findEnd(lines, at, to);
    if (word === 'for') {
      const loop = /^(\w+)\s+in\s+(.+)$/.exec(rest);
      if (!loop) throw new Error(`wgsl line ${line.number}: "for NAME in COUNT" expected, found "${rest}"`);
      const count = evaluate(loop[2], scope, line.number);
      for (let i = 0; i < count; i++) expandBlock(lines, at + 1, end, { ...scope, [loop[1]]: i }, out);
    } else if (word === 'if') {
      if (evaluate(rest, scope, line.number)) expandBlock(lines, at + 1, otherwise ?? end, scope, out);
      else if (otherwise !== undefined) expandBlock(lines, otherwise + 1, end, scope, out);
    } else throw new Error(`wgsl line ${line.number}: unknown directive "${word}"`);
    at = end;
  }
}

function findEnd(lines: Line[], start: number, to: number): { otherwise?: number; end: number } {
  let depth = 0;
  let otherwise: number | undefined;
  for (let at = start; at < to; at++) {
    const word = /^\s*\/\/#\s*(\w+)/.exec(lines[at].text)?.[1];
    if (word === 'for' || word === 'if') depth++;
    else if (word === 'else' && depth === 1) otherwise = at;
    else if (word === 'end' && --depth === 0) return { otherwise, end: at };
  }
  throw new Error(`wgsl line ${lines[start].number}: no "//# end" for this directive`);
}

function substitute(line: Line, scope: WgslConstants): string {
  return line.text
    .replace(/\$\(((?:[^()]|\([^()]*\))*)\)/g, (_, expression: string) =>
      String(evaluate(expression, scope, line.number)),
    )
    .replace(/\$(\w+)/g, (_, name: string) => {
      const value = scope[name];
      if (value === undefined) throw new Error(`wgsl line ${line.number}: unknown name $${name}`);
      return String(value);
    });
}

/** Integer expressions by precedence climbing; true is 1. */
function evaluate(expression: string, scope: WgslConstants, lineNumber: number): number {
  const tokens = expression.match(/\d+|\w+|==|!=|<=|>=|&&|\|\||[-+*/%()<>!]/g) ?? [];
  let at = 0;
  const fail = (why: string): never => {
    throw new Error(`wgsl line ${lineNumber}: ${why} in "${expression}"`);
  };
  const levels: Record<string, number> = {
    '||': 1,
    '&&': 2,
    '==': 3,
    '!=': 3,
    '<': 4,
    '<=': 4,
    '>': 4,
    '>=': 4,
    '+': 5,
    '-': 5,
    '*': 6,
    '/': 6,
    '%': 6,
  };
  const apply = (operator: string, a: number, b: number): number => {
    switch (operator) {
      case '||':
        return a || b ? 1 : 0;
      case '&&':
        return a && b ? 1 : 0;
      case '==':
        return Number(a === b);
      case '!=':
        return Number(a !== b);
      case '<':
        return Number(a < b);
      case '<=':
        return Number(a <= b);
      case '>':
        return Number(a > b);
      case '>=':
        return Number(a >= b);
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case '/':
        return Math.trunc(a / b);
      default:
        return a % b;
    }
  };
  const atom = (): number => {
    const token = tokens[at++];
    if (token === undefined) return fail('unexpected end');
    if (token === '(') {
      const value = binary(1);
      if (tokens[at++] !== ')') fail('missing ")"');
      return value;
    }
    if (token === '!') return atom() ? 0 : 1;
    if (token === '-') return -atom();
    if (/^\d+$/.test(token)) return Number(token);
    const value = scope[token];
    if (typeof value === 'boolean') return Number(value);
    if (typeof value !== 'number') return fail(`unknown number "${token}"`);
    return value;
  };
  const binary = (level: number): number => {
    let left = atom();
    for (;;) {
      const operator = tokens[at];
      const own = operator === undefined ? undefined : levels[operator];
      if (own === undefined || own < level) return left;
      at++;
      left = apply(operator, left, binary(own + 1));
    }
  };
  const value = binary(1);
  if (at !== tokens.length) fail(`unexpected "${tokens[at]}"`);
  return value;
}
