import { describe, expect, test } from 'vitest';

import { piece } from './html.ts';

describe('piece', () => {
  test('escapes what is put in, in elements and in attributes', () => {
    const name = `<script>alert('1')</script>&"`;

    const { text } = piece`<p title="${name}">${name}</p>`;

    const escaped = '&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;';
    expect(text).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  test('takes pieces as they are, joins lists of them, and leaves out what is not there', () => {
    const items = [1, 2].map((item) => piece`<li>${item}</li>`);

    const { text } = piece`<ul>${items}</ul>${undefined}`;

    expect(text).toBe('<ul><li>1</li>\n<li>2</li></ul>');
  });

  test('shows what cannot be shown as a sign, and never turns text around', () => {
    expect(piece`${'a\u0000b\u202Ec\u001B[2J\nd'}`.text).toBe('a\uFFFDb\uFFFDc\uFFFD[2J\uFFFDd');
  });
});
