/** From a command line to a running node and back: the whole life of the program, with the outside world passed in. */

import { resolve } from 'node:path';

import { AssertionError, type Clock } from '@kayadb/codec';
import { openEngine } from '@kayadb/engine';
import { type RunningNode, startNode } from '@kayadb/server';
import { formatEndpoint, type Network } from '@kayadb/transport';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';
import type { DestinationStream } from 'pino';

import { describeBanner } from './banner.ts';
import { type Config, type Environment, loadConfig } from './config.ts';
import { describeEnd, describeFailure, EXIT, type ExitCode } from './describe-failure.ts';
import { resolveDiskLimits } from './disk-limits.ts';
import { parseFlags } from './flags.ts';
import { logEngineEvent } from './log-engine-event.ts';
import { createLogger, type ServerLogger } from './logger.ts';
import { checkPreflight } from './preflight.ts';
import { VERSION } from './version.ts';

export interface World {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly isRoot: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly logDestination: DestinationStream;
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  readonly network: Network;
  readonly clock: Clock;
  /** Resolves with the name of the first signal that asks the program to end. */
  readonly stopRequested: Promise<string>;
}

/** Never rejects: what goes wrong is told on stderr, and becomes the exit code. */
export async function run(world: World): Promise<ExitCode> {
  try {
    const invocation = parseFlags(world.argv, world.env);
    if (invocation.kind === 'run') return await serve(world, await loadConfig(invocation, world.env, world.fileSystem));
    world.stdout(invocation.text);
    return EXIT.ok;
  } catch (error) {
    const { exitCode, text } = describeFailure(error);
    world.stderr(text);
    return exitCode;
  }
}

async function serve(world: World, config: Config): Promise<ExitCode> {
  const { isOpen, warnings } = await checkPreflight(config, world.fileSystem, world.isRoot);
  const logger = createLogger(config.logLevel, config.nodeId, world.logDestination);
  for (const warning of [...config.warnings, ...warnings]) logger.warn({ event: 'node.warning' }, warning);
  const node = await start(world, config, logger);
  const address = formatEndpoint(node.address);
  const directory = resolve(config.dataDirectory);
  logger.info({ event: 'node.ready', address, directory, durability: config.durability, version: VERSION }, 'ready');
  world.stdout(
    describeBanner({
      ...config,
      version: VERSION,
      address,
      directory,
      isOpen,
      hasClientToken: config.clientToken !== undefined,
    }),
  );

  const reason = await Promise.race([world.stopRequested, node.failed]);
  if (typeof reason === 'string') return drain(node, config, logger, reason);
  const exitCode = await giveUp(node, config, logger, reason);
  world.stderr(describeEnd(reason).text);
  return exitCode;
}

async function start(world: World, config: Config, logger: ServerLogger): Promise<RunningNode> {
  const { network, clock, fileSystem, processes } = world;
  let node: RunningNode | undefined;
  const poisoned: Error[] = [];
  const engine = await openEngine(config.dataDirectory, {
    durability: config.durability,
    intervalMs: config.intervalMs,
    scrubIntervalMs: config.scrubIntervalMs,
    scrubBytesPerSecond: config.scrubBytesPerSecond,
    ...(await resolveDiskLimits(config, fileSystem)),
    fileSystem,
    processes,
    clock,
    onEvent: (engineEvent) => {
      logEngineEvent(logger, engineEvent);
      if (engineEvent.kind !== 'poisoned') return;
      poisoned.push(engineEvent.cause);
      node?.fail(engineEvent.cause);
    },
  });
  const { nodeId, clientAddress, clientToken, operatorToken, maxClientConnections } = config;
  node = await startNode({
    engine,
    network,
    clock,
    logger,
    nodeId,
    version: VERSION,
    clientAddress,
    clientToken,
    operatorToken,
    limits: { maxConnections: maxClientConnections },
  });
  // Background work begins before there is a node to end.
  for (const cause of poisoned) node.fail(cause);
  return node;
}

/** The end that was asked for. */
async function drain(node: RunningNode, config: Config, logger: ServerLogger, signal: string): Promise<ExitCode> {
  logger.info({ event: 'node.stopping', signal }, `stopping because of ${signal}`);
  await node.stop({ deadlineMs: config.drainTimeoutMs });
  logger.info({ event: 'node.stopped' }, 'stopped');
  return EXIT.ok;
}

/** The end that was not: says why, lets the answers out that are ready, and leaves the rest to the next start. */
async function giveUp(node: RunningNode, config: Config, logger: ServerLogger, cause: Error): Promise<ExitCode> {
  logger.fatal({ event: 'node.failed', err: cause }, `the node cannot go on: ${cause.message}`);
  try {
    await node.stop({ deadlineMs: config.drainTimeoutMs });
  } catch (error) {
    // A store that is broken may fail to close; the first cause is the one that matters, and it is logged above.
    logger.warn({ event: 'node.stop-failed', err: error }, 'the store was not closed in order');
  }
  return cause instanceof AssertionError ? EXIT.invariant : EXIT.failure;
}
