CREATE FUNCTION public.place() RETURNS bigint LANGUAGE internal AS 'window_row_number';
