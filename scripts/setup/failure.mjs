/** Failures that the user can repair, and how they end a script. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The message says what was expected, what was found and what to do. Status 2: the machine or its network; 1: our own work. */
export class SetupFailure extends Error {
  constructor(message, status = 2) {
    super(message);
    this.status = status;
  }
}

/** Whether the module at `url` is the script that Node runs; works without import.meta.filename, which old Nodes lack. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Runs a script. A SetupFailure ends it with its message and status, Ctrl-C with status 130, any other error with a stack trace. */
export async function runScript(main) {
  process.once('SIGINT', () => {
    process.stderr.write('\ninterrupted; the next run resumes here\n');
    process.exit(130);
  });
  try {
    await main();
  } catch (error) {
    // Our own file operations may fail too, on a full disk or a folder that is not writable.
    const failure =
      error instanceof SetupFailure || error.code?.startsWith?.('ERR_PARSE_ARGS')
        ? error.message
        : error.syscall && knownCause('set-up', error.message);
    if (!failure) throw error;
    process.stderr.write(`${failure}\n`);
    process.exit(error.status ?? 2);
  }
}

/**
 * The known cause of a failed pip, npm or file operation, found in its output, as one sentence; undefined if there is none.
 * `doing` begins the sentence, for example "fetching scikit-image 0.26.0".
 */
export function knownCause(doing, output) {
  if (/ENOSPC|No space left on device|EDQUOT|Disk quota exceeded/i.test(output)) {
    return `${doing} failed: the disk is full; free some space and run the same command again`;
  }
  if (/DO NOT MATCH THE HASHES|EINTEGRITY|integrity checksum failed/i.test(output)) {
    return `${doing} failed: the file from the registry does not have the pinned checksum; a proxy or mirror changes files, or the download broke. It was discarded; try again`;
  }
  if (/CERTIFICATE_VERIFY_FAILED|SSLError|SELF_SIGNED_CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/i.test(output)) {
    return `${doing} failed: the registry's certificate is not trusted here; tell pip (PIP_CERT) and npm (cafile) about your network's certificate`;
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|network request to .* failed|NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|Failed to establish a new connection|Name or service not known|name resolution|Max retries exceeded|ProxyError|IncompleteRead|Connection broken|RemoteDisconnected|Connection aborted|incomplete-download/i.test(
      output,
    )
  ) {
    return `${doing} failed: the package registry could not be reached, or the connection broke; check the network (and the proxy or mirror that pip and npm use) and run the same command again`;
  }
  if (/No matching distribution found|\bE404\b|\bETARGET\b/.test(output)) {
    return `${doing} failed: the package registry does not answer or does not have this version; check the network and the mirror that pip and npm use`;
  }
  if (/EACCES|EPERM|EROFS|Permission denied|Read-only file system/i.test(output)) {
    return `${doing} failed: a folder is not writable (${/(?:EACCES|EPERM|EROFS|Permission denied|Read-only file system)[^\n]*/i.exec(output)[0].trim()})`;
  }
  return undefined;
}
