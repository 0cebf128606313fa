CREATE FUNCTION public.place() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
