// The supported versions of Node: package.json's `engines`. Plain JavaScript, for a Node that is too old, before anything is built.
'use strict';
const { engines } = require('../package.json');

/** What is wrong with a version of Node, e.g. '21.7.3', or undefined. */
function nodeProblem(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  const ranges = engines.node.split('||').map((range) => range.replace(/[\s^]/g, ''));
  const fits = (range) => {
    const [wanted, least = 0] = range.split('.').map(Number);
    return major === wanted && minor >= least;
  };
  if (ranges.some(fits)) return undefined;
  const names = ranges.map((range) => (range.includes('.') ? `${range} or later` : range));
  return `Node ${names.slice(0, -1).join(', ')} or ${names[names.length - 1]} is needed; this is ${version}. Install one of them (https://nodejs.org) and run the same command again.`;
}

module.exports = { nodeProblem };
