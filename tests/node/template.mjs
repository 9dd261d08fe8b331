// Holds a software template against Backstage's own schemas: `template.mjs JSON`. Prints what is wrong with it.
import { templateEntityV1beta3Validator } from "@backstage/plugin-scaffolder-common";

const [template] = process.argv.slice(2);
const problems = [];
try {
  const isTemplate = await templateEntityV1beta3Validator.check(JSON.parse(template));
  isTemplate || problems.push("it is of another kind or version");
} catch (error) {
  problems.push(error.message);
}
console.log(JSON.stringify({ problems }));
