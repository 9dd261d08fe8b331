// Has Adaptive Cards parsed by their own library, and says what it did not take.
import { createRequire } from "node:module";

// The bundle for browsers, which needs no document to parse.
const cards = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.js");

export function problemsOfCard(name, content) {
  const problems = [];
  const context = new cards.SerializationContext();
  const card = new cards.AdaptiveCard();
  card.parse(content, context);
  for (let at = 0; at < context.eventCount; at += 1) problems.push(`${name}: ${context.getEventAt(at).message}`);
  for (const { message } of card.validateProperties().validationEvents) problems.push(`${name}: ${message}`);
  if (card.getItemCount() !== content.body.length) problems.push(`${name}: an element was not taken`);
  if (card.getActionCount() !== (content.actions ?? []).length) problems.push(`${name}: an action was not taken`);
  // The library does not mind keys that it does not know; what it writes again has those that it does.
  const kept = JSON.stringify(card.toJSON());
  for (const word of ["FactSet", "TextBlock", "Action.OpenUrl"]) {
    const count = (text) => text.split(`"${word}"`).length;
    if (count(kept) !== count(JSON.stringify(content))) problems.push(`${name}: a ${word} was not taken`);
  }
  return problems;
}
