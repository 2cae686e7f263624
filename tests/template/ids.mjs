// Ids of resources: `/subscriptions/.../providers/<namespace>/<type>/<name>/<type>/<name>`.

import { ExpressionError } from "./expression.mjs";

/** Type and name in an id. */
export function identify(id) {
  const [, namespace, rest] = /.*\/providers\/([^/]+)\/(.+)$/i.exec(id) ?? [];
  const segments = rest?.split("/") ?? [];
  if (segments.length === 0 || segments.length % 2 || segments.includes("")) {
    throw new ExpressionError(`takes ${JSON.stringify(id)} for the id of a resource`);
  }
  const types = segments.filter((_, at) => at % 2 === 0);
  return {
    id,
    type: [namespace, ...types].join("/"),
    name: segments.filter((_, at) => at % 2).join("/"),
  };
}

/** The part after `/providers/`: each segment of the type except the first, with its name. */
export function path(type, name) {
  const [namespace, ...types] = type.split("/");
  const names = name.split("/");
  return [namespace, ...types.flatMap((part, at) => [part, names[at]])].join("/");
}

/** Whether the type and the name have the same number of segments. */
export function agree(type, name) {
  return name.split("/").length === type.split("/").length - 1;
}
