CREATE TYPE mood AS ENUM ('calm', 'glad', 'sad');
