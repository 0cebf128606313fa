CREATE TRUSTED LANGUAGE sketch HANDLER plpgsql_call_handler;
