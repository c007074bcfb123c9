import { mountStudio, startEngine } from './studio/index.ts';

mountStudio(document.getElementById('root')!, startEngine());
