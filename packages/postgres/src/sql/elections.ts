import type { Space } from './script.ts'

/** Where those who watch a name are told. Names that share a key share it. */
export const channelPrefix = 'locks_name_'

/**
 * Tells whenever a claim with a value comes to hold its name, or goes from there. By triggers, so that it is told with each
 * change of a row, whoever makes it: also with one that is made by hand.
 */
export const elections = ({ schema }: Space): string => `
CREATE OR REPLACE FUNCTION ${schema}.announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_catalog.pg_notify('${channelPrefix}' || coalesce(NEW.key, OLD.key), '');
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER came AFTER INSERT OR UPDATE OF holds ON ${schema}.entry
FOR EACH ROW WHEN (NEW.holds AND NEW.value IS NOT NULL) EXECUTE FUNCTION ${schema}.announce();
CREATE OR REPLACE TRIGGER went AFTER DELETE ON ${schema}.entry
FOR EACH ROW WHEN (OLD.holds AND OLD.value IS NOT NULL) EXECUTE FUNCTION ${schema}.announce();
`
