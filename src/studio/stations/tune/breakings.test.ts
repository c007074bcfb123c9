import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BREAKINGS, breakingsFor } from './breakings.ts';

const changed = (id: string, text: string) => BREAKINGS.find((one) => one.id === id)!.apply(text);

test.each([
  ['capitals', 'A fine day.', 'A FINE DAY.'],
  ['typo', 'The lift in our building.', 'The lift in our buidling.'],
  ['not', 'The lift holds six.', 'It is not true that the lift holds six.'],
  ['not', 'I like it.', 'It is not true that I like it.'],
  ['opinion', 'The soup was cold.', 'I think the soup was cold.'],
  ['small', 'The end of the film is in Rome.', 'end film Rome.'],
])('%s: %s', (id, text, result) => {
  expect(changed(id, text)).toBe(result);
});

test('only what changes a text is offered, and nothing makes one empty', () => {
  expect(breakingsFor('the').map(({ id }) => id)).not.toContain('small');
  expect(breakingsFor('123').map(({ id }) => id)).toEqual(['not', 'opinion']);
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const { apply } of breakingsFor(text)) {
        expect(apply(text)).not.toBe(text);
        expect(apply(text)).not.toBe('');
      }
    }),
  );
});
