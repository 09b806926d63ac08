# The notebooks in a container; test/setup/bare-debian runs these steps in a bare Debian.
#   docker build --tag attention-capacity .
#   docker run --rm --publish 127.0.0.1:8888:8888 attention-capacity

FROM node:24-trixie-slim AS base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates g++ git python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*

FROM base
RUN install --directory --owner=node --group=node /home/node/attention-capacity
USER node
WORKDIR /home/node/attention-capacity
COPY --chown=node:node . .
RUN npm run setup && npm cache clean --force && rm -rf ~/.cache
ENV PATH=/home/node/attention-capacity/.venv/bin:$PATH
EXPOSE 8888
CMD ["node", "scripts/notebooks/lab.mjs", "--no-browser", "--ServerApp.ip=0.0.0.0"]
