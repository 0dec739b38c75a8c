/** From a command line to a running node and back: the whole life of the program, with the outside world passed in. */

import { resolve } from 'node:path';

import { type RunningNode, ServerError } from '@kayadb/server';
import { formatEndpoint } from '@kayadb/transport';

import { type BannerFacts, describeBanner, describeWaiting } from './banner.ts';
import { type Config, loadConfig, toldHosts } from './config.ts';
import { describeEnd, describeFailure, EXIT, type ExitCode } from './describe-failure.ts';
import { parseFlags } from './flags.ts';
import { createLogger, type ServerLogger } from './logger.ts';
import { openNode } from './open-node.ts';
import { checkPreflight } from './preflight.ts';
import { openReports, type Reports } from './reports.ts';
import { warnOfNames } from './tls/own-names.ts';
import { warnOfOpenKey } from './tls/tls-files.ts';
import { TlsWatch } from './tls/tls-watch.ts';
import { VERSION } from './version.ts';
import type { World } from './world.ts';

/** Never rejects: what goes wrong is told on stderr, and becomes the exit code. */
export async function run(world: World): Promise<ExitCode> {
  try {
    const invocation = parseFlags(world.argv, world.env);
    if (invocation.kind === 'run') return await serve(world, await loadConfig(invocation, world.env, world.fileSystem));
    world.stdout(invocation.text);
    return EXIT.ok;
  } catch (error) {
    noteUnclosed(world, error);
    const { exitCode, text } = describeFailure(error);
    world.stderr(text);
    return exitCode;
  }
}

/** What is open while the program runs, in the order in which it was opened. */
interface Session {
  readonly world: World;
  readonly config: Config;
  readonly logger: ServerLogger;
  readonly node: RunningNode;
  readonly reports: Reports | undefined;
  /** Nobody is asked who they are before they read and write everything. */
  readonly isOpen: boolean;
}

async function serve(world: World, config: Config): Promise<ExitCode> {
  const { isOpen, warnings } = await checkPreflight(config, world.fileSystem, world.isRoot);
  const logger = createLogger(config.logLevel, config.nodeId, world.logDestination);
  for (const warning of [...config.warnings, ...warnings]) logger.warn({ event: 'node.warning' }, warning);
  for (const note of config.notes) logger.info({ event: 'node.note' }, note);
  const tls = await openTls(world, config, logger);
  try {
    const node = await openNode(world, config, logger, tls?.identity);
    const reports = await openReportsOf(node, world, config, logger, tls);
    return await attend({ world, config, logger, node, reports, isOpen });
  } finally {
    tls?.close();
  }
}

/** From now on SIGHUP reads the files again. */
async function openTls(world: World, config: Config, logger: ServerLogger): Promise<TlsWatch | undefined> {
  const { fileSystem, clock, wallClock } = world;
  const files = config.tls?.files;
  if (files === undefined) {
    world.onReloadRequested(() => {
      logger.info({ event: 'node.note' }, 'SIGHUP has nothing to read again: TLS is off');
    });
    return undefined;
  }
  const tls = await TlsWatch.open({ files, fileSystem, clock, wallClock, logger });
  world.onReloadRequested(() => void tls.reload());
  const { own } = tls.identity;
  const warnings = own === undefined ? [] : warnOfNames(own, toldHosts(config));
  for (const warning of [...(await warnOfOpenKey(fileSystem, files)), ...warnings]) {
    logger.warn({ event: 'node.warning' }, warning);
  }
  return tls;
}

/** A node whose reports cannot be seen is stopped again: whoever watches it would take it for dead. */
async function openReportsOf(
  node: RunningNode,
  world: World,
  config: Config,
  logger: ServerLogger,
  tls: TlsWatch | undefined,
): Promise<Reports | undefined> {
  try {
    return await openReports(node, world, config, logger, tls?.identity);
  } catch (error) {
    await stopAnyhow(node, world, config, logger);
    throw error;
  }
}

/** What goes wrong is logged: there is another failure that is to be reported. */
async function stopAnyhow(node: RunningNode, world: World, config: Config, logger: ServerLogger): Promise<void> {
  try {
    await node.stop({ deadlineMs: config.drainTimeoutMs });
  } catch (error) {
    noteUnclosed(world, error);
    logger.warn({ event: 'node.stop-failed', err: error }, 'the store was not closed in order');
  }
}

function noteUnclosed(world: World, error: unknown): void {
  if (error instanceof ServerError && error.code === 'KAYA_STOP_TIMEOUT') world.onUnclosed();
}

/** Watches over the node until it ends. */
async function attend(session: Session): Promise<ExitCode> {
  const { world, config, logger, node } = session;
  const facts = describeFacts(session);
  const { address, peerAddress, reportsUrl, directory } = facts;
  logger.info({ event: 'node.listening', address, peerAddress, reportsUrl, version: VERSION }, 'listening');
  const ended = Promise.race([world.stopRequested, node.failed]);
  if (config.peers.length > 0 && node.view.cluster === undefined) world.stdout(describeWaiting(facts));
  let outcome = await Promise.race([node.ready.then(() => undefined), ended]);
  if (outcome === undefined) {
    logger.info({ event: 'node.ready', address, peerAddress, directory, version: VERSION }, 'ready');
    world.stdout(describeBanner(describeFacts(session)));
    outcome = await ended;
  }
  if (typeof outcome === 'string') return drain(session, outcome);
  await giveUp(session, outcome);
  const { exitCode, text } = describeEnd(outcome);
  world.stderr(text);
  return exitCode;
}

/** As they are now. */
function describeFacts({ config, node, reports, isOpen }: Session): BannerFacts {
  const { voters = [], learners = [] } = node.view.raft?.configuration ?? {};
  return {
    version: VERSION,
    nodeId: config.nodeId,
    address: formatEndpoint(node.address),
    peerAddress: formatEndpoint(node.peerAddress),
    toldAddress: node.view.clientAddress,
    toldPeerAddress: node.view.peerAddress,
    reportsUrl: reports?.url,
    directory: resolve(config.dataDirectory),
    peers: config.peers,
    isJoining: config.isJoining,
    members: [...voters, ...learners].toSorted((a, b) => a - b),
    tlsFiles: config.tls?.files,
    requiresClientCertificate: config.tls?.requiresClientCertificate ?? false,
    hasClientToken: config.clientToken !== undefined,
    hasOperatorToken: config.operatorToken !== undefined,
    isOpen,
  };
}

/** The end that was asked for. Reports go last: they say that the node is stopping. */
async function drain({ node, reports, config, logger }: Session, signal: string): Promise<ExitCode> {
  logger.info({ event: 'node.stopping', signal }, `stopping because of ${signal}`);
  try {
    await node.stop({ deadlineMs: config.drainTimeoutMs });
  } finally {
    await reports?.close();
  }
  logger.info({ event: 'node.stopped' }, 'stopped');
  return EXIT.ok;
}

/** The end that was not: says why, lets the answers out that are ready, and leaves the rest to the next start. */
async function giveUp({ world, node, reports, config, logger }: Session, cause: Error): Promise<void> {
  logger.fatal({ event: 'node.failed', err: cause }, `the node cannot go on: ${cause.message}`);
  await stopAnyhow(node, world, config, logger);
  await reports?.close();
}
