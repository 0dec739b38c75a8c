/**
 * What a node tells over HTTP: whether it lives and serves, metrics, and its status. docs/reference/server.md, "HTTP".
 * It only looks at the node, so it may outlive it, and says to the end that it is stopping.
 */

import type { Clock } from '@kayadb/codec';
import {
  type Endpoint,
  type HttpAnswer,
  type HttpLimits,
  type HttpListener,
  type HttpRequest,
  listenHttp,
  type ListenTls,
  textAnswer,
} from '@kayadb/transport';

import type { Logger } from '../logger.ts';
import type { NodeView } from '../node-view.ts';
import type { NodeReports } from '../operations-2/node-reports.ts';
import { memberRows } from '../reports/member-rows.ts';
import { NodeReporter } from '../reports/node-reporter.ts';
import { type NodeSnapshot, takeSnapshot } from '../reports/node-snapshot.ts';
import { describeChecks } from './describe-checks.ts';
import { type Check, checkHealth, type HealthThresholds, isAlive, isReady } from './health-checks.ts';
import { MetricRegistry } from './metrics/metric-registry.ts';
import { StatusGuard } from './status-guard.ts';

export interface ServeHttpOptions {
  readonly view: NodeView;
  /** By default made of `view`. */
  readonly reports?: Pick<NodeReports, 'status'> | undefined;
  /** Numeric. Port 0 lets the operating system choose. Whether it may be bound is the caller's question: `checkBind`. */
  readonly address: Endpoint;
  /** Names by which it may be asked, besides those of loopback and the address that a connection came in on. Without ports. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly tls?: ListenTls | undefined;
  /** Needed for the status, if set. */
  readonly clientToken?: string | undefined;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly logger: Logger;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly thresholds?: HealthThresholds | undefined;
  /** Whether metrics of the process are with those of the node. Default true. */
  readonly withProcessMetrics?: boolean | undefined;
}

/**
 * Serves until it is closed.
 *
 * @throws TransportError KAYA_LISTEN_FAILED; RangeError for an empty token; TypeError for an identity without a certificate.
 */
export async function serveHttp(options: ServeHttpOptions): Promise<HttpListener> {
  const { address, clock, tls, limits, allowedHosts, logger } = options;
  const service = new HttpService(options);
  return listenHttp({
    ...address,
    clock,
    tls,
    limits,
    allowedHosts,
    handler: (request) => service.handle(request),
    onFailed: (err) => logger.error({ event: 'http.failed', err }, 'a request over HTTP failed'),
  });
}

type Page = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

class HttpService {
  readonly #options: ServeHttpOptions;
  readonly #reports: Pick<NodeReports, 'status'>;
  readonly #metrics: MetricRegistry;
  readonly #guard: StatusGuard;
  readonly #pages: ReadonlyMap<string, Page> = new Map<string, Page>([
    ['/livez', () => this.#live()],
    ['/readyz', (request) => this.#ready(request)],
    ['/metrics', () => this.#scrape()],
    ['/v1/status', (request) => this.#status(request)],
  ]);

  constructor(options: ServeHttpOptions) {
    const { view, reports, clock, logger, clientToken, withProcessMetrics = true } = options;
    this.#options = options;
    this.#reports = reports ?? new NodeReporter({ view: () => view });
    this.#metrics = new MetricRegistry({ withProcess: withProcessMetrics });
    this.#guard = new StatusGuard({
      clock,
      logger,
      clientToken,
      maxRememberedAddresses: view.limits.maxRememberedAddresses,
    });
  }

  async handle(request: HttpRequest): Promise<HttpAnswer> {
    const page = this.#pages.get(request.path);
    if (page !== undefined) return page(request);
    return textAnswer(404, `there is no such page; there are ${[...this.#pages.keys()].join(', ')}`);
  }

  #live(): HttpAnswer {
    const { view } = this.#options;
    return isAlive(view)
      ? textAnswer(200, 'ok')
      : textAnswer(503, `the node has ended: ${view.endError?.message ?? ''}`);
  }

  #ready({ query }: HttpRequest): HttpAnswer {
    const checks = this.#check(takeSnapshot(this.#options.view));
    const isPassed = isReady(checks);
    return textAnswer(isPassed ? 200 : 503, isPassed && !query.has('verbose') ? 'ok' : describeChecks(checks));
  }

  async #scrape(): Promise<HttpAnswer> {
    const snapshot = takeSnapshot(this.#options.view);
    const body = await this.#metrics.write({
      snapshot,
      engine: snapshot.machine?.stats(),
      members: memberRows(snapshot),
      checks: this.#check(snapshot),
      httpFailedAttempts: this.#guard.failedAttempts,
    });
    return { status: 200, contentType: this.#metrics.contentType, body };
  }

  async #status(request: HttpRequest): Promise<HttpAnswer> {
    const refusal = await this.#guard.refuse(request);
    if (refusal !== undefined) return refusal;
    return { status: 200, contentType: 'application/json', body: `${await this.#reports.status()}\n` };
  }

  #check(snapshot: NodeSnapshot): readonly Check[] {
    const { wallClock, thresholds } = this.#options;
    return checkHealth(snapshot, wallClock(), thresholds);
  }
}
