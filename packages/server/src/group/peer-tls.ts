/** Whom the other end of a connection between nodes has to be, where TLS is on: what the operator says, or the host that the node is dialed at. */

import type { NodeId } from '@kayadb/raft';
import type { DialTls, ExpectedIdentity, ListenTls } from '@kayadb/transport';

import type { Member } from '../machine/command.ts';
import type { NodeTls } from '../node-options.ts';
import type { PeerBook } from './peer-book.ts';

export class PeerTls {
  /** Of the nodes' port: nodes prove themselves to each other. */
  readonly listen: ListenTls;
  readonly #tls: NodeTls;
  readonly #book: PeerBook;
  readonly #members: () => readonly Member[];

  constructor(tls: NodeTls, book: PeerBook, members: () => readonly Member[]) {
    this.listen = { identity: tls.identity, requiresPeerCertificate: true };
    this.#tls = tls;
    this.#book = book;
    this.#members = members;
  }

  /** `undefined` for a node that this one knows no address of: then any certificate of the CA is taken, and the handshake tells whether it is a member. */
  identityOf(node: NodeId): ExpectedIdentity | undefined {
    const setting = this.#book.setting(node);
    if (setting?.identity !== undefined) return setting.identity;
    const address = this.#book.addressOf(node, this.#members());
    return address === undefined ? undefined : { kind: 'name', name: address.host };
  }

  dial(node: NodeId): DialTls {
    const expected = this.identityOf(node);
    return { identity: this.#tls.identity, ...(expected === undefined ? {} : { expected }) };
  }
}
