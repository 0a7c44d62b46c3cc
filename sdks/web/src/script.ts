/** The build for a script tag: `Rymi` and `<rymi-call>` for pages without a bundler. */
import './element.js';
import * as web from './index.js';

Object.assign(globalThis, { Rymi: { ...web.Rymi, CallError: web.CallError, Call: web.Call } });
