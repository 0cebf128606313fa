CREATE TYPE public.num;
