import { isolatePage, mountStudio, startEngine } from './studio/index.ts';

void isolatePage();
mountStudio(document.getElementById('root')!, startEngine());
