/**
 * What two mail parsers read: `node read.mjs NODE_MODULES <mails.json`, a JSON list of mails in base64, answers
 * `[{"mailparser": {subject, from, attachments}, "postal-mime": {…}}, …]`.
 */

import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(`${process.argv[2]}/`);
const { simpleParser } = require("mailparser");
const { default: PostalMime } = await import(require.resolve("postal-mime"));

async function read(mail) {
  const one = await simpleParser(mail, { skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true });
  const other = await PostalMime.parse(mail);
  return {
    mailparser: {
      subject: one.subject,
      from: one.from.value,
      attachments: one.attachments.map(({ filename }) => filename),
    },
    "postal-mime": {
      subject: other.subject,
      from: [other.from],
      attachments: other.attachments.map(({ filename }) => filename),
    },
  };
}

const mails = JSON.parse(await text(process.stdin));
const answers = [];
for (const mail of mails) answers.push(await read(Buffer.from(mail, "base64")));
process.stdout.write(JSON.stringify(answers));
