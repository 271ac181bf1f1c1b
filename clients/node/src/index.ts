/** An OpenFeature provider for Understudy's fallback flags that outlives the bot. */
export { UnderstudyProvider, type UnderstudyOptions } from "./provider.js";
