/** Of the routes of those who give work, and look after it. */
export const manage = { hide: true, scope: ["queue:write", "process:run"] } as const;
/** Of the routes that workers need. */
export const work = { hide: true, scope: ["job:work", "queue:write"] } as const;
