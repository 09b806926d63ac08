exports.get = () => {
  throw new Error('tables are read from files here, not from URLs: download the file first');
};
