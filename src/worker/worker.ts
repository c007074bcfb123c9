/** The engine's Web Worker. The page names the worker after its own address, to which models and samples are relative. */
import * as Comlink from 'comlink';
import { createEngine } from './engine.ts';

Comlink.expose(createEngine(self.name));
