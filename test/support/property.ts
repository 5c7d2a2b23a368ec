import fc from 'fast-check';

/** In continuous integration a property sees the same examples each time: what fails there is the change under test. */
if (process.env['CI'] === 'true') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_111_010 });

export { fc };
