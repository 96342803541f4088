import ts from "typescript";
import { SWITCHBOARD } from "./switchboard.ts";

/**
 * What a mutant does to its place. A judging function that answers nothing, an inverted condition
 * and a branch that is cut must turn a test red; `part` leaves out one part of a condition, which
 * often changes nothing (a check for a type before one for a value), and only shows where tests
 * could be sharper.
 */
export type Kind = "nothing" | "inverted" | "cut" | "part";

export interface Mutant {
  readonly id: number;
  readonly kind: Kind;
  readonly file: string;
  readonly line: number;
  /** What is mutated, on one line. */
  readonly code: string;
  /** What becomes of it. */
  readonly change: string;
}

export interface Instrumented {
  /** The file with all of its mutants built in, none of them on; each line is where it was. */
  readonly code: string;
  readonly mutants: readonly Mutant[];
}

const PREDICATE_OF = /^(?:filter|some|every|find|findLast|findIndex)$/;
const COMPARES = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
  ts.SyntaxKind.InKeyword,
  ts.SyntaxKind.InstanceOfKeyword,
]);

const isLogical = (node: ts.Node): node is ts.BinaryExpression =>
  ts.isBinaryExpression(node) &&
  (node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken ||
    node.operatorToken.kind === ts.SyntaxKind.BarBarToken);

/** The operands of a && b && c, or of a || b || c. */
function operandsOf(node: ts.BinaryExpression): ts.Expression[] {
  const { left, right, operatorToken } = node;
  const inner = ts.isParenthesizedExpression(left) ? left.expression : left;
  return isLogical(inner) && inner.operatorToken.kind === operatorToken.kind
    ? [...operandsOf(inner), right]
    : [left, right];
}

function isComparison(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node)) return isComparison(node.expression);
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.ExclamationToken;
  return ts.isBinaryExpression(node) && COMPARES.has(node.operatorToken.kind);
}

/** What a function answers in one expression, where that is a yes or a no. */
function predicateOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isReturnStatement(node))
    return node.expression && isComparison(node.expression) ? node.expression : undefined;
  if (!ts.isArrowFunction(node) || ts.isBlock(node.body) || isLogical(node.body)) return undefined;
  const call = node.parent;
  const called =
    ts.isCallExpression(call) && ts.isPropertyAccessExpression(call.expression)
      ? call.expression.name.text
      : "";
  return PREDICATE_OF.test(called) || isComparison(node.body) ? node.body : undefined;
}

/**
 * Finds the places where a policy's file decides something, and builds their mutants in.
 *
 * @param firstId id of the first mutant; the others count on from it
 */
export function instrument(file: string, text: string, firstId: number): Instrumented {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const mutants: Mutant[] = [];
  const before = new Map<number, string[]>();
  const after = new Map<number, string[]>();

  /** Puts a call around a piece of code. Outer places are wrapped before inner ones. */
  const wrap = (start: number, end: number, prefix: string, suffix: string): void => {
    before.set(start, [...(before.get(start) ?? []), prefix]);
    after.set(end, [suffix, ...(after.get(end) ?? [])]);
  };
  const add = (node: ts.Node, changes: readonly (readonly [Kind, string])[]): number => {
    const first = firstId + mutants.length;
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    const code = node.getText(source).replace(/\s+/g, " ");
    for (const [kind, change] of changes)
      mutants.push({ id: firstId + mutants.length, kind, file, line: line + 1, code, change });
    return first;
  };
  const call = (node: ts.Node, name: string, ...args: unknown[]): void =>
    wrap(node.getStart(source), node.getEnd(), `${SWITCHBOARD}.${name}(${[...args, ""].join(", ")}(`, "))");

  const judge = (property: ts.ObjectLiteralElementLike): void => {
    const first = add(property, [
      ["nothing", "answers nothing"],
      ["nothing", "finds nothing"],
      ["nothing", "lists nothing as not judged"],
    ]);
    if (ts.isPropertyAssignment(property)) call(property.initializer, "judge", first);
    else
      wrap(
        property.getStart(source),
        property.getEnd(),
        `${property.name?.getText(source)}: ${SWITCHBOARD}.judge(${first}, `,
        ")",
      );
  };

  const place = (node: ts.Node): void => {
    if (ts.isIfStatement(node)) {
      const first = add(node.expression, [
        ["inverted", "if (!(…))"],
        ["cut", "if (false)"],
        [node.elseStatement ? "cut" : "part", "if (true)"],
      ]);
      call(node.expression, "condition", first);
    } else if (ts.isConditionalExpression(node)) {
      const first = add(node.condition, [
        ["inverted", "!(…) ? :"],
        ["part", "false ? :"],
        ["part", "true ? :"],
      ]);
      call(node.condition, "condition", first);
    } else if (isLogical(node)) {
      const parent = ts.isParenthesizedExpression(node.parent) ? node.parent.parent : node.parent;
      if (isLogical(parent) && parent.operatorToken.kind === node.operatorToken.kind) return;
      const and = node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken;
      const top = ts.isReturnStatement(parent) || ts.isArrowFunction(parent);
      for (const operand of operandsOf(node)) {
        const first = add(operand, [
          [top ? "inverted" : "part", and ? "… && !(…)" : "… || !(…)"],
          ["part", and ? "… && true" : "… || false"],
        ]);
        call(operand, "operand", first, and);
      }
    }
    const predicate = predicateOf(node);
    if (predicate) call(predicate, "predicate", add(predicate, [["inverted", "!(…)"]]));
  };

  const loop = (node: ts.Node): void => {
    if (ts.isWhileStatement(node) || ts.isDoStatement(node) || (ts.isForStatement(node) && node.condition))
      call(ts.isForStatement(node) ? (node.condition ?? node) : node.expression, "turn");
    else if (ts.isIterationStatement(node, false) && ts.isBlock(node.statement))
      wrap(node.statement.getStart(source) + 1, node.statement.getEnd(), `${SWITCHBOARD}.turn();`, "");
  };

  const visit = (node: ts.Node, inFunction: boolean): void => {
    if (ts.isTypeNode(node)) return;
    if (inFunction) place(node);
    loop(node);
    if (!inFunction && isCache(node)) call(node, "cache");
    if (isDefinition(node))
      for (const property of node.properties)
        if (/^judge(?:Resource|Stack)$/.test(property.name?.getText(source) ?? "")) judge(property);
    ts.forEachChild(node, (child) => visit(child, inFunction || ts.isFunctionLike(node)));
  };
  visit(source, false);

  let code = "";
  for (let at = 0; at <= text.length; at++)
    code += [...(after.get(at) ?? []), ...(before.get(at) ?? [])].join("") + text.slice(at, at + 1);
  return { code, mutants };
}

/** The object given to definePolicy. */
const isDefinition = (node: ts.Node): node is ts.ObjectLiteralExpression =>
  ts.isObjectLiteralExpression(node) &&
  ts.isCallExpression(node.parent) &&
  node.parent.expression.getText() === "definePolicy";

/** A module's own `new Map()`: what it holds must not outlive a mutant. */
const isCache = (node: ts.Node): boolean =>
  ts.isNewExpression(node) &&
  /^(?:Map|Set)$/.test(node.expression.getText()) &&
  (node.arguments?.length ?? 0) === 0;

/** For files that are not mutated: only their caches are emptied between mutants. */
export function withCaches(file: string, text: string): string {
  if (!/new (?:Map|Set)\b/.test(text)) return text;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (isCache(node)) found.push(node);
    if (!ts.isFunctionLike(node)) ts.forEachChild(node, visit);
  };
  visit(source);
  return found.reduceRight(
    (code, node) =>
      `${code.slice(0, node.getStart(source))}${SWITCHBOARD}.cache(${node.getText(source)})${code.slice(node.getEnd())}`,
    text,
  );
}
