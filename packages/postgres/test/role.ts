/** What a role needs that did not make the schema `locks` itself. Functions are everybody's unless that is taken back. */
export const leastPrivilege = (role: string): string => `
GRANT USAGE ON SCHEMA locks TO ${role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA locks TO ${role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA locks TO ${role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA locks TO ${role};
`
