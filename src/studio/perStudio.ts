import type { Studio } from './studio.tsx';

/** A store that only some stations need: made when it is first asked for (with the station's own script), once per studio. */
export function perStudio<Store>(create: (studio: Studio) => Store): (studio: Studio) => Store {
  const made = new WeakMap<Studio, Store>();
  return (studio) => {
    let store = made.get(studio);
    if (store === undefined) {
      store = create(studio);
      made.set(studio, store);
    }
    return store;
  };
}
