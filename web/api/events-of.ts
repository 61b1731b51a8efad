/** A server-sent event as it was sent. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** The server-sent events of an answer, as they come: for answers to POST, which EventSource cannot ask for. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  let rest = '';
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split('\n\n');
    rest = frames.pop()!;
    for (const frame of frames) {
      const fields = new Map(
        frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      const data = fields.get('data');
      if (data !== undefined) yield { event: fields.get('event') ?? 'message', data };
    }
  }
}
