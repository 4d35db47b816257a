# The backend as an image: docker build -t perigee-server .
# Both stages are of one Debian: what is compiled in the first runs in the second.
FROM node:24.21.0-bookworm AS build
WORKDIR /src
COPY package.json package-lock.json ./
# What the build needs runs without the scripts of its packages.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build:server
# SQLite for Node is fetched, or compiled where it can't be.
RUN cd dist/server && npm ci --omit=dev && rm -rf *.map deploy

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8787 DATABASE_URL=sqlite:/data/perigee.db
COPY --from=build /src/dist/server /app
RUN ln -s /app/main.js /usr/local/bin/perigee-server \
 && ln -s /app/admin.js /usr/local/bin/perigee-admin \
 && install -d -o node -g node -m 0700 /data /deletions
USER node
WORKDIR /data
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "/app/main.js"]
