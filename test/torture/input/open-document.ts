import Schema from 'typebox/schema';
import type { HttpApi } from '../../rig/http-api.ts';
import type { JsonSchema } from './schema-values.ts';

/** One operation of the OpenAPI document, its references resolved. */
export interface Operation {
  readonly path: string;
  readonly method: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly body: JsonSchema | undefined;
  /** What is given, by status; only successes are named one by one. */
  readonly answers: ReadonlyMap<string, { readonly schema: JsonSchema | undefined; check(value: unknown): boolean }>;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>>;
}
interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: Operation['parameters'];
            readonly requestBody?: Content;
            readonly responses: Readonly<Record<string, Content>>;
          }
        >
      >
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/** What would end the run for everybody in it. */
const LEFT_OUT = ['delete /v1/team', 'post /v1/team/alert-test'];

export async function openDocument(api: HttpApi): Promise<Operation[]> {
  const { paths, components } = (await api.call('GET', '/openapi.json')).json as Document;
  const resolved = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(resolved);
    if (typeof node !== 'object' || node === null) return node;
    if ('$ref' in node) return resolved(components.schemas[String(node.$ref).split('/').at(-1)!]);
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolved(value)]));
  };
  const schemaOf = ({ content }: Content = {}): JsonSchema | undefined =>
    resolved(content?.['application/json']?.schema) as JsonSchema | undefined;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => !LEFT_OUT.includes(`${method} ${path}`))
      .map(([method, { parameters = [], requestBody, responses }]) => ({
        ...{ path, method, parameters, body: schemaOf(requestBody) },
        answers: new Map(
          Object.entries(responses).map(([status, content]) => {
            const schema = schemaOf(content);
            const compiled = schema && Schema.Compile(schema as Record<string, unknown>);
            return [status, { schema, check: (value: unknown) => compiled?.Check(value) ?? true }] as const;
          }),
        ),
      })),
  );
}
