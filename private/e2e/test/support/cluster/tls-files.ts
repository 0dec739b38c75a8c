/** The TLS files of a cluster's nodes, put into place as an operator does: whole ones, by their names. */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';

import { makeTestCertificate, type TestCertificate, type TestCertificateOptions } from '@kayadb/transport/testing';

import type { RunFolder } from './run-folder.ts';

/** A certificate that may sign others. */
export function makeAuthority(subject: string): TestCertificate {
  return makeTestCertificate({ subject, isAuthority: true });
}

/** The name in the certificate of a node, by which the others know it. */
export function nodeName(place: number): string {
  return `node-${place + 1}.kayadb.example`;
}

/** A sound certificate for a node: with its name, and the address by which clients reach it. */
export function makeNodeCertificate(
  place: number,
  issuer: TestCertificate,
  changes: Partial<TestCertificateOptions> = {},
): TestCertificate {
  const names = [nodeName(place), '127.0.0.1'];
  return makeTestCertificate({ subject: `node ${place + 1}`, names, issuer, ...changes });
}

export class TlsFiles {
  readonly #folder: RunFolder;

  constructor(folder: RunFolder) {
    this.#folder = folder;
  }

  /** Of one node. */
  flagsOf(place: number): readonly string[] {
    const at = (name: string): string => this.#at(place, name);
    return ['--tls-cert', at('node.crt'), '--tls-key', at('node.key'), '--tls-ca', at('ca.crt')];
  }

  placePair(place: number, { certificate, key }: TestCertificate): void {
    this.#place(place, 'node.key', key);
    this.#place(place, 'node.crt', certificate);
  }

  /** Whom the node trusts: all of these. */
  placeAuthorities(place: number, ...authorities: readonly TestCertificate[]): void {
    this.#place(place, 'ca.crt', bundleOf(...authorities));
  }

  #place(place: number, name: string, bytes: Uint8Array): void {
    const path = this.#at(place, name);
    writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  #at(place: number, name: string): string {
    mkdirSync(this.#folder.at(`tls-${place + 1}`), { recursive: true });
    return this.#folder.at(`tls-${place + 1}`, name);
  }
}

/** Certificates in one file. */
export function bundleOf(...certificates: readonly TestCertificate[]): Uint8Array {
  return Buffer.concat(certificates.map(({ certificate }) => certificate));
}
