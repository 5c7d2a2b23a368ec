import { Document } from 'yaml';
import { simSiamRunCrd } from '../../api/crd.ts';

/** The CustomResourceDefinition as a file. */
export function crdYaml(): string {
  // kubectl reads YAML 1.1, where a bare `y` or `on` is a boolean: that version's rules quote them.
  const document = new Document(simSiamRunCrd(), { version: '1.1', aliasDuplicateObjects: false });
  document.commentBefore = ' Generated from api/ by `npm run gen`. Do not edit.';
  return document.toString({ lineWidth: 120 });
}
