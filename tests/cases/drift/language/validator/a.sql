CREATE LANGUAGE sketch HANDLER plpgsql_call_handler;
