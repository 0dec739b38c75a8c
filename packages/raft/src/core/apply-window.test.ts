import { describe, expect, test } from 'vitest';

import { ApplyWindow } from './apply-window.ts';

describe('ApplyWindow', () => {
  test('pauses when the bound is reached, and goes on when enough is applied', () => {
    const window = new ApplyWindow(5, 100);

    window.accept(8, 100, 8);
    expect(window.isPaused).toBe(true);
    window.appliedTo(6, 1);

    expect(window.isPaused).toBe(false);
    expect(window.roomBytes).toBe(1);
    expect([window.applied, window.applying]).toEqual([6, 8]);
  });

  test('pauses when the next entry did not fit, until anything is applied', () => {
    const window = new ApplyWindow(5, 100);

    window.accept(6, 60, 7);
    expect(window.isPaused).toBe(true);
    window.appliedTo(6, 60);

    expect(window.isPaused).toBe(false);
    expect(window.roomBytes).toBe(100);
  });

  test('stays paused while an entry above the bound is not applied', () => {
    const window = new ApplyWindow(5, 100);

    window.accept(7, 250, 7);
    window.appliedTo(6, 50);

    expect(window.isPaused).toBe(true);
  });

  test('follows a snapshot that is beyond what was handed out', () => {
    const window = new ApplyWindow(5, 100);
    window.accept(6, 10, 6);

    window.appliedTo(20, 0);

    expect([window.applied, window.applying]).toEqual([20, 20]);
  });

  test('never goes back', () => {
    const window = new ApplyWindow(5, 100);

    expect(() => window.appliedTo(4, 0)).toThrow('applied index falls from 5 to 4');
  });
});
