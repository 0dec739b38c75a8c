import { describe, expect, test } from 'vitest';

import { lineAt, mask, maskAll } from '../src/mask.ts';

describe('mask', () => {
  test.each([
    ['a line comment', 'x // y', 'x     '],
    ['a block comment, keeping its lines', 'x /* y\nz */ w', 'x     \n     w'],
    ['a shebang', '#!/x\ny', '    \ny'],
    ['single and double quotes', `a('b', "c")`, `a(' ', " ")`],
    ['an escaped quote', String.raw`'a\'b' + c`, `'    ' + c`],
    ['a comment mark inside a string', `'//' + x`, `'  ' + x`],
    ['a quote inside a comment', `/* it's */ x`, `           x`],
    ['a template without its expressions', '`a ${b + `c`} d` + e', '`  ${b + ` `}  ` + e'],
    ['braces inside a template expression', '`${f({ a: 1 })}x` + y', '`${f({ a: 1 })} ` + y'],
    ['a regular expression with a quote', `x = /['/]"/; y`, `x = /     /; y`],
  ])('blanks %s', (_, text, expected) => {
    expect(maskAll(text)).toBe(expected);
  });

  test('takes a division for what it is', () => {
    const text = `a / b / c; 'd'`;

    expect(maskAll(text)).toBe(`a / b / c; ' '`);
  });

  test('blanks only what it is told to', () => {
    const text = `a('b') // c`;

    expect(mask(text, { comments: true, strings: false })).toBe(`a('b')     `);
    expect(mask(text, { comments: false, strings: true })).toBe(`a(' ') // c`);
  });
});

describe('lineAt', () => {
  test('counts from 1', () => {
    expect([lineAt('a\nb', 0), lineAt('a\nb', 1), lineAt('a\nb', 2)]).toEqual([1, 1, 2]);
  });
});
