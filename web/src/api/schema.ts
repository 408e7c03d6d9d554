/** The part of JSON schema that pydantic's models of options use, and what a form needs to know of it. */
export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  anyOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
  $defs?: Record<string, Schema>;
  properties?: Record<string, Schema>;
  required?: string[];
}

export type Kind = "text" | "password" | "number" | "integer" | "switch" | "choice" | "secret" | "other";

export interface Option {
  name: string;
  kind: Kind;
  hint: string;
  standard: unknown;
  required: boolean;
  choices: string[];
}

/** The format of an option that is a reference to a secret: `sac_core.models.secret_ref.SecretRef`. */
const SECRET = "sac-secret";
/** The format of a setting that is a secret itself: pydantic's `SecretStr`. */
const PASSWORD = "password";

/** The options of a model, in their order. */
export function optionsOf(model: Schema | undefined): Option[] {
  const required = model?.required ?? [];
  return Object.entries(model?.properties ?? {}).map(([name, found]) => {
    const schema = resolved(found, model?.$defs ?? {});
    const hint = found.description ?? schema.description ?? "";
    const choices = (schema.enum ?? (schema.const === undefined ? [] : [schema.const])).map(String);
    return { name, kind: kindOf(schema), hint, standard: found.default, required: required.includes(name), choices };
  });
}

/** What is behind references and behind "or nothing". */
function resolved(schema: Schema, defs: Record<string, Schema>): Schema {
  const behind = schema.$ref ? defs[schema.$ref.replace("#/$defs/", "")] : undefined;
  if (behind) return resolved(behind, defs);
  const several = (schema.anyOf ?? schema.allOf ?? []).filter((part) => part.type !== "null");
  return several.length === 1 && several[0] ? resolved(several[0], defs) : schema;
}

function kindOf(schema: Schema): Kind {
  if (schema.format === SECRET) return "secret";
  const words = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
  if (words.length > 0) return words.every((word) => typeof word === "string") ? "choice" : "other";
  switch (schema.type) {
    case "string":
      return schema.format === PASSWORD ? "password" : "text";
    case "boolean":
      return "switch";
    case "number":
    case "integer":
      return schema.type;
    default:
      return "other";
  }
}

/** What was given as the API wants it; what was left empty is left out. */
export function valuesOf(options: Option[], given: Record<string, string>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const option of options) {
    const text = given[option.name] ?? "";
    if (text.trim() !== "") values[option.name] = valueOf(option.kind, text);
  }
  return values;
}

function valueOf(kind: Kind, text: string): unknown {
  if (kind === "switch") return text === "true";
  // what is no number goes as it is: the server says what is wrong with it, and where
  const number = kind === "number" || kind === "integer" ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : text;
}
