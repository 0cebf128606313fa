CREATE TABLE public.p (a integer, b text) PARTITION BY LIST (a);
CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN (1);
CREATE INDEX p_b ON public.p (b);
ALTER INDEX public.p1_b_idx SET (fillfactor = 70);
