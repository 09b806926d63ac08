/** Whether this process is a notebook's kernel, and how it sends something to the page. */

/** The same thing in several forms, by MIME type; the page takes the richest that it knows. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** Sends one output to the page. With `update`, the output that was sent under the same `id` is replaced. */
export type Send = (data: MimeBundle, id?: string, update?: boolean) => void;

type TslabSend = (
  message: { data: MimeBundle; metadata: object; transient: { display_id?: string } },
  update: boolean,
) => void;

/**
 * The way to the page of the cell that runs now, or undefined when this process is not a notebook's kernel.
 *
 * tslab's public `display` sends one MIME type at a time; the function behind it, which tslab puts here for the cell
 * that runs, takes a bundle. It works in tslab's own kernel as in ours.
 */
export function pageOfCell(): { readonly send: Send; readonly cell: unknown } | undefined {
  const tslabSend = loadedTslab()?.lastWriteDisplayData;
  if (!tslabSend) return undefined;
  return {
    send: (data, id, update = false) =>
      tslabSend({ data, metadata: {}, transient: id === undefined ? {} : { display_id: id } }, update),
    cell: tslabSend,
  };
}

function loadedTslab(): { lastWriteDisplayData?: TslabSend | null } | undefined {
  try {
    return require.cache[require.resolve('tslab/dist/jupyter.js')]?.exports as ReturnType<typeof loadedTslab>;
  } catch {
    return undefined;
  }
}
