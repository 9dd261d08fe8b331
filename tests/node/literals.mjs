// Has TypeScript check JSON as literals of the platforms' own types, so that a key that the platform does not have is an error, too.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

// `groups`: by the name of a file to write, `{ imported, literals: [{ name, type, json }] }`. Returns what is wrong, each with its name.
export function problemsOf(groups) {
  const here = dirname(fileURLToPath(import.meta.url));
  const files = Object.entries(groups).map(([group, { imported, literals }]) => {
    const lines = literals.map(({ name, type, json }, at) => `// ${name}\nexport const m${at}: ${type} = ${JSON.stringify(json)};`);
    const path = join(here, `${group}.check.ts`);
    writeFileSync(path, `${imported}\n${lines.join("\n")}\n`);
    return path;
  });
  const program = ts.createProgram(files, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  });
  const found = files.flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return found.map(({ file, start, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line : 0;
    const name = file?.text.split("\n")[line - 1] ?? "";
    return `${name} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
